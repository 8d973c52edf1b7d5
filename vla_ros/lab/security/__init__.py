"""The SROS2 policy: who may publish, subscribe and call what."""
