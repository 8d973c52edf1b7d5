"""Does a checkpoint fit a robot? `checkpoint_contract` is what it wants, `binding` holds it against what the robot has."""
