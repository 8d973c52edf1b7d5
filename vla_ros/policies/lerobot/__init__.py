"""LeRobot's checkpoints. `folder` reads what one wants of a robot, without torch and without LeRobot."""
