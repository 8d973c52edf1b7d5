"""Vision-language-action models in two halves: System 2 holds the vision-language model, System 1 the action expert.

`checkpoint_files` opens a folder without loading it, `half_weights` loads one half of it, `plan_tensors` packs what goes
from one half to the other, `flow_integration` integrates. `smolvla`, `pi`, `pi0_transformers` and `groot` know the classes
of one family each; `system2` and `system1` are the same for all. No module here is imported before its policy is chosen.
"""
