"""More than one machine: a cluster's own engine carries the look to each, and many reports become one.

Each engine is one module with two functions, `takes` and `ask`; `engines` lists them. None of them is imported unless
the user has: they are looked for among the modules that are loaded.
"""
