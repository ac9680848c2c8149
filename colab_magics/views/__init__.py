"""Show a report: each view is a function of it. Views measure nothing.

Every string in a report that came from outside passes `units.printable` before it is shown, and `html.escape` on top
before it becomes HTML.
"""
