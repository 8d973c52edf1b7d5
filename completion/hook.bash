# Sourced by the setup.bash of a colcon workspace: the arguments of vla-ros complete with TAB. Read at the first TAB only.
_vla_ros_completion=${BASH_SOURCE[0]%/*}/vla-ros.bash
case $_vla_ros_completion in /*) ;; *) _vla_ros_completion=$PWD/$_vla_ros_completion ;; esac
_vla_ros_complete() { . "$_vla_ros_completion" && return 124; }
complete -F _vla_ros_complete vla-ros 2>/dev/null || :
