"""The suite `honest`: is what was said what is done, or is it refused?

Sentences that stand in no training data, grammar or other test, half of which cannot be done as they are said.
"""
