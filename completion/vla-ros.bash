# Made by completion_scripts.py with shtab (MPL-2.0); do not edit.
# Usage:
# 1) Copy this to somewhere (e.g. ~/.local/share/bash_completion/vla-ros).
# 2) Add the following line to your .bashrc:
#    source ~/.local/share/bash_completion/vla-ros
# See also: https://github.com/scop/bash-completion/blob/main/doc/configuration.md

_shtab_vla_ros_data_subparsers=(generate check)
_shtab_vla_ros_subparsers=(up say words arm disarm estop reset eval demo doctor check check-recording bench data train status trace policies replay faults serve completion)

_shtab_vla_ros_up_option_strings=(-h --help --namespace --robot --policy --system2 --vlm-url --vlm-model --checkpoint --config --use-sim-time --rviz --dashboard --no-dashboard --arm --say --only --without)
_shtab_vla_ros_say_option_strings=(-h --help --namespace --continue)
_shtab_vla_ros_words_option_strings=(-h --help --language --json)
_shtab_vla_ros_arm_option_strings=(-h --help --namespace)
_shtab_vla_ros_disarm_option_strings=(-h --help --namespace)
_shtab_vla_ros_estop_option_strings=(-h --help --namespace)
_shtab_vla_ros_reset_option_strings=(-h --help --namespace --lost-estop)
_shtab_vla_ros_eval_option_strings=(-h --help --policy --suite --system2 --checkpoint --config --tasks --object --episodes --seed --through-graph --instruction --chunk-transition --splicing --language --jobs --json --report)
_shtab_vla_ros_demo_option_strings=(-h --help --policy --seed)
_shtab_vla_ros_doctor_option_strings=(-h --help --robot --policy --config --namespace --json)
_shtab_vla_ros_check_option_strings=(-h --help --robot --policy --config --json --urdf)
_shtab_vla_ros_check_recording_option_strings=(-h --help --robot --config --urdf --topic --signal --period --from-rest --json)
_shtab_vla_ros_bench_option_strings=(-h --help --ticks --seconds --hour --trips --family --size --types --threads --seed --quick --json --docs)
_shtab_vla_ros_data_generate_option_strings=(-h --help --out --episodes --seed --workers --tasks --object --scenes)
_shtab_vla_ros_data_check_option_strings=(-h --help --json)
_shtab_vla_ros_data_option_strings=(-h --help)
_shtab_vla_ros_train_option_strings=(-h --help --config --out --resume --phases)
_shtab_vla_ros_status_option_strings=(-h --help --namespace --once --json)
_shtab_vla_ros_trace_option_strings=(-h --help --namespace --seconds --perfetto --reasoning --json)
_shtab_vla_ros_policies_option_strings=(-h --help --json)
_shtab_vla_ros_replay_option_strings=(-h --help --json --robot --config)
_shtab_vla_ros_faults_option_strings=(-h --help --list --json --docs)
_shtab_vla_ros_serve_option_strings=(-h --help --policy --robot --config --checkpoint --urdf --camera-info --host --port --api-key-file --rate --clients)
_shtab_vla_ros_completion_option_strings=(-h --help)
_shtab_vla_ros_option_strings=(-h --help --version)

_shtab_vla_ros_up___checkpoint_COMPGEN=_shtab_compgen_dirs
_shtab_vla_ros_up___config_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_words___json_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_eval___checkpoint_COMPGEN=_shtab_compgen_dirs
_shtab_vla_ros_eval___config_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_eval___json_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_eval___report_COMPGEN=_shtab_compgen_dirs
_shtab_vla_ros_doctor___config_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_doctor___json_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_check_pos_0_COMPGEN=_shtab_compgen_dirs
_shtab_vla_ros_check___config_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_check___json_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_check___urdf_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_check_recording_pos_0_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_check_recording___config_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_check_recording___urdf_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_check_recording___json_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_bench___json_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_data_generate___out_COMPGEN=_shtab_compgen_dirs
_shtab_vla_ros_data_check_pos_0_COMPGEN=_shtab_compgen_dirs
_shtab_vla_ros_data_check___json_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_train___config_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_train___out_COMPGEN=_shtab_compgen_dirs
_shtab_vla_ros_status___json_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_trace___perfetto_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_trace___reasoning_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_trace___json_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_policies___json_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_replay_pos_0_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_replay___json_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_replay___config_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_faults___json_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_serve___config_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_serve___checkpoint_COMPGEN=_shtab_compgen_dirs
_shtab_vla_ros_serve___urdf_COMPGEN=_shtab_compgen_files
_shtab_vla_ros_serve___api_key_file_COMPGEN=_shtab_compgen_files

_shtab_vla_ros_up___robot_choices=(franka sim)
_shtab_vla_ros_up___policy_choices=(classical compact groot lerobot openvla openvla_oft pi0 pi05 remote scripted smolvla)
_shtab_vla_ros_up___system2_choices=(vlm)
_shtab_vla_ros_up___only_choices=(sim_arm safety_filter safety_monitor camera planner action_expert task_server dashboard motion_paths)
_shtab_vla_ros_up___without_choices=(sim_arm safety_filter safety_monitor camera planner action_expert task_server dashboard motion_paths)
_shtab_vla_ros_eval___policy_choices=(classical compact groot lerobot openvla openvla_oft pi0 pi05 remote scripted smolvla)
_shtab_vla_ros_eval___system2_choices=(vlm)
_shtab_vla_ros_eval___chunk_transition_choices=(ensemble naive real_time)
_shtab_vla_ros_eval___splicing_choices=(ensemble naive real_time)
_shtab_vla_ros_demo___policy_choices=(classical compact groot lerobot openvla openvla_oft pi0 pi05 remote scripted smolvla)
_shtab_vla_ros_doctor___robot_choices=(franka sim)
_shtab_vla_ros_doctor___policy_choices=(classical compact groot lerobot openvla openvla_oft pi0 pi05 remote scripted smolvla)
_shtab_vla_ros_check___robot_choices=(franka sim)
_shtab_vla_ros_check___policy_choices=(classical compact groot lerobot openvla openvla_oft pi0 pi05 remote scripted smolvla)
_shtab_vla_ros_check_recording___robot_choices=(franka sim)
_shtab_vla_ros_check_recording___signal_choices=(command setpoint measured)
_shtab_vla_ros_bench_pos_0_choices=(controller policy safety split transport)
_shtab_vla_ros_bench___family_choices=(smolvla pi0)
_shtab_vla_ros_bench___size_choices=(real tiny)
_shtab_vla_ros_data_generate___scenes_choices=(varied plain)
_shtab_vla_ros_data_pos_0_choices=(generate check)
_shtab_vla_ros_replay___robot_choices=(franka sim)
_shtab_vla_ros_serve___policy_choices=(classical compact groot lerobot openvla openvla_oft pi0 pi05 remote scripted smolvla)
_shtab_vla_ros_serve___robot_choices=(franka sim)
_shtab_vla_ros_completion_pos_0_choices=(bash zsh)
_shtab_vla_ros_pos_0_choices=(up say words arm disarm estop reset eval demo doctor check check-recording bench data train status trace policies replay faults serve completion)

_shtab_vla_ros_up__h_nargs=0
_shtab_vla_ros_up___help_nargs=0
_shtab_vla_ros_up___use_sim_time_nargs=0
_shtab_vla_ros_up___rviz_nargs=0
_shtab_vla_ros_up___dashboard_nargs=0
_shtab_vla_ros_up___no_dashboard_nargs=0
_shtab_vla_ros_up___arm_nargs=0
_shtab_vla_ros_say__h_nargs=0
_shtab_vla_ros_say___help_nargs=0
_shtab_vla_ros_say___continue_nargs=0
_shtab_vla_ros_words__h_nargs=0
_shtab_vla_ros_words___help_nargs=0
_shtab_vla_ros_words___json_nargs='?'
_shtab_vla_ros_arm__h_nargs=0
_shtab_vla_ros_arm___help_nargs=0
_shtab_vla_ros_disarm__h_nargs=0
_shtab_vla_ros_disarm___help_nargs=0
_shtab_vla_ros_estop__h_nargs=0
_shtab_vla_ros_estop___help_nargs=0
_shtab_vla_ros_reset__h_nargs=0
_shtab_vla_ros_reset___help_nargs=0
_shtab_vla_ros_reset___lost_estop_nargs=0
_shtab_vla_ros_eval__h_nargs=0
_shtab_vla_ros_eval___help_nargs=0
_shtab_vla_ros_eval___through_graph_nargs=0
_shtab_vla_ros_eval___language_nargs=0
_shtab_vla_ros_eval___json_nargs='?'
_shtab_vla_ros_demo__h_nargs=0
_shtab_vla_ros_demo___help_nargs=0
_shtab_vla_ros_doctor__h_nargs=0
_shtab_vla_ros_doctor___help_nargs=0
_shtab_vla_ros_doctor___json_nargs='?'
_shtab_vla_ros_check__h_nargs=0
_shtab_vla_ros_check___help_nargs=0
_shtab_vla_ros_check___json_nargs='?'
_shtab_vla_ros_check_recording__h_nargs=0
_shtab_vla_ros_check_recording___help_nargs=0
_shtab_vla_ros_check_recording___from_rest_nargs=0
_shtab_vla_ros_check_recording___json_nargs='?'
_shtab_vla_ros_bench__h_nargs=0
_shtab_vla_ros_bench___help_nargs=0
_shtab_vla_ros_bench___hour_nargs=0
_shtab_vla_ros_bench___types_nargs=0
_shtab_vla_ros_bench___quick_nargs=0
_shtab_vla_ros_bench___json_nargs='?'
_shtab_vla_ros_bench___docs_nargs=0
_shtab_vla_ros_data_generate__h_nargs=0
_shtab_vla_ros_data_generate___help_nargs=0
_shtab_vla_ros_data_check__h_nargs=0
_shtab_vla_ros_data_check___help_nargs=0
_shtab_vla_ros_data_check___json_nargs='?'
_shtab_vla_ros_data_pos_0_nargs=A...
_shtab_vla_ros_data__h_nargs=0
_shtab_vla_ros_data___help_nargs=0
_shtab_vla_ros_train__h_nargs=0
_shtab_vla_ros_train___help_nargs=0
_shtab_vla_ros_train___resume_nargs=0
_shtab_vla_ros_status__h_nargs=0
_shtab_vla_ros_status___help_nargs=0
_shtab_vla_ros_status___once_nargs=0
_shtab_vla_ros_status___json_nargs='?'
_shtab_vla_ros_trace__h_nargs=0
_shtab_vla_ros_trace___help_nargs=0
_shtab_vla_ros_trace___json_nargs='?'
_shtab_vla_ros_policies__h_nargs=0
_shtab_vla_ros_policies___help_nargs=0
_shtab_vla_ros_policies___json_nargs='?'
_shtab_vla_ros_replay__h_nargs=0
_shtab_vla_ros_replay___help_nargs=0
_shtab_vla_ros_replay___json_nargs='?'
_shtab_vla_ros_faults_pos_0_nargs='*'
_shtab_vla_ros_faults__h_nargs=0
_shtab_vla_ros_faults___help_nargs=0
_shtab_vla_ros_faults___list_nargs=0
_shtab_vla_ros_faults___json_nargs='?'
_shtab_vla_ros_faults___docs_nargs=0
_shtab_vla_ros_serve__h_nargs=0
_shtab_vla_ros_serve___help_nargs=0
_shtab_vla_ros_completion__h_nargs=0
_shtab_vla_ros_completion___help_nargs=0
_shtab_vla_ros_pos_0_nargs=A...
_shtab_vla_ros__h_nargs=0
_shtab_vla_ros___help_nargs=0
_shtab_vla_ros___version_nargs=0


# $1=COMP_WORDS[1]
_shtab_compgen_files() {
  compgen -f -- $1  # files
}

# $1=COMP_WORDS[1]
_shtab_compgen_dirs() {
  compgen -d -- $1  # recurse into subdirs
}

# $1=COMP_WORDS[1]
_shtab_replace_nonword() {
  echo "${1//[^[:word:]]/_}"
}

# set default values (called for the initial parser & any subparsers)
_set_parser_defaults() {
  local subparsers_var="${prefix}_subparsers[@]"
  sub_parsers=${!subparsers_var-}

  local current_option_strings_var="${prefix}_option_strings[@]"
  current_option_strings=${!current_option_strings_var}

  completed_positional_actions=0

  _set_new_action "pos_$completed_positional_actions" true
}

# $1=action identifier
# $2=positional action (bool)
# set all identifiers for an action's parameters
_set_new_action() {
  current_action="${prefix}_$(_shtab_replace_nonword $1)"

  local current_action_compgen_var=${current_action}_COMPGEN
  current_action_compgen="${!current_action_compgen_var-}"

  local current_action_choices_var="${current_action}_choices[@]"
  current_action_choices="${!current_action_choices_var-}"

  local current_action_nargs_var="${current_action}_nargs"
  if [ -n "${!current_action_nargs_var-}" ]; then
    current_action_nargs="${!current_action_nargs_var}"
  else
    current_action_nargs=1
  fi

  current_action_args_start_index=$(( $word_index + 1 - $pos_only ))

  current_action_is_positional=$2
}

# Notes:
# `COMPREPLY`: what will be rendered after completion is triggered
# `completing_word`: currently typed word to generate completions for
# `${!var}`: evaluates the content of `var` and expand its content as a variable
#     hello="world"
#     x="hello"
#     ${!x} -> ${hello} -> "world"
_shtab_vla_ros() {
  local completing_word="${COMP_WORDS[COMP_CWORD]}"
  local previous_word="${COMP_WORDS[COMP_CWORD-1]}"
  local completed_positional_actions
  local current_action
  local current_action_args_start_index
  local current_action_choices
  local current_action_compgen
  local current_action_is_positional
  local current_action_nargs
  local current_option_strings
  local sub_parsers
  COMPREPLY=()

  local prefix=_shtab_vla_ros
  local word_index=0
  local pos_only=0 # "--" delimiter not encountered yet
  _set_parser_defaults
  word_index=1

  # determine what arguments are appropriate for the current state
  # of the arg parser
  while [ $word_index -ne $COMP_CWORD ]; do
    local this_word="${COMP_WORDS[$word_index]}"

    if [[ $pos_only = 1 || " $this_word " != " -- " ]]; then
      if [[ -n $sub_parsers && " ${sub_parsers[@]} " == *" $this_word "* ]]; then
        # valid subcommand: add it to the prefix & reset the current action
        prefix="${prefix}_$(_shtab_replace_nonword $this_word)"
        _set_parser_defaults
      fi

      if [[ " ${current_option_strings[@]} " == *" $this_word "* ]]; then
        # a new action should be acquired (due to recognised option string or
        # no more input expected from current action);
        # the next positional action can fill in here
        _set_new_action $this_word false
      fi

      if [[ "$current_action_nargs" != "*" ]] && \
         [[ "$current_action_nargs" != "+" ]] && \
         [[ "$current_action_nargs" != "?" ]] && \
         [[ "$current_action_nargs" != *"..." ]] && \
         (( $word_index + 1 - $current_action_args_start_index - $pos_only >= \
            $current_action_nargs )); then
        $current_action_is_positional && let "completed_positional_actions += 1"
        _set_new_action "pos_$completed_positional_actions" true
      fi
    else
      pos_only=1 # "--" delimiter encountered
    fi

    let "word_index+=1"
  done

  # Generate the completions

  COMPREPLY=()
  if [[ $pos_only = 0 && "$completing_word" == -* &&
        ( -z "$current_action_compgen" || "$current_action_is_positional" = true ) ]]; then
    # optional argument started: use option strings
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(
      compgen -W "${current_option_strings[*]}" -- "$completing_word")
  elif [[ "$previous_word" =~ ^[0-9\&]*[\<\>]\>?$ ]]; then
    # handle redirection operators
    compopt -o filenames 2>/dev/null || : # bash>=4
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$completing_word")
  else
    # use choices & compgen
    local action_compgen_word="$completing_word"
    # handle tab-completing in the middle of a line (#248 <- #116)
    [[ -n "$current_action_compgen" && "$completing_word" == -* ]] && action_compgen_word=""
    [ -n "$current_action_compgen" ] && {
      [[ "$current_action_compgen" =~ _(file|dir|glob|FILE|DIR|GLOB)|File|Dir|Glob ]] &&
        compopt -o filenames 2>/dev/null || : # bash>=4
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(
        "$current_action_compgen" "$action_compgen_word")
    }
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(
      compgen -W "${current_action_choices[*]}" -- "$completing_word")
  fi

  if [[ ${#COMPREPLY[@]} = 0 ]]; then
    # native fallback matches are not necessarily filenames (e.g. variables)
    compopt +o filenames 2>/dev/null || : # bash>=4
  fi

  return 0
}

complete -o bashdefault -F _shtab_vla_ros vla-ros
