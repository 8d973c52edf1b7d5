"""The policy `remote`: a server somewhere else holds the model; here are the clients of four protocols.

`policy_client` is what a client is; `openpi`, `groot`, `lerobot` and `openvla` are one each. `server_connection` keeps one
connected, `remote_model` checks what it answers, `remote_policy` makes plans of it.
"""
