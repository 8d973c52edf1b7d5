"""Instructions in words: a reader that is independent of any policy, and the steps that it reads.

`Reader(load_grammars(["en"])).read("put the red cube in the bowl")` returns the steps, a question, or why it is refused.
"""
