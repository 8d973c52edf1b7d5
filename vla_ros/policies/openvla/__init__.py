"""OpenVLA and OpenVLA-OFT from the folders that their authors publish. docs/openvla.md names the source of every convention.

`folder` and what it reads need no torch; `network` is the model; `policy` are the two halves.
"""
