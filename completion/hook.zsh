# Sourced by the setup.zsh of a colcon workspace: the arguments of vla-ros complete with TAB. Read at the first TAB only.
fpath=("${${(%):-%x}:a:h}" $fpath)
if (( $+functions[compdef] )); then # else compinit, when it comes, finds the function in fpath
  autoload -Uz _vla-ros
  compdef _vla-ros vla-ros
fi
