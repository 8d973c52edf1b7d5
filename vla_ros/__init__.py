"""A vision-language-action model on a ROS 2 robot arm, behind a deterministic safety filter."""
