"""Measure what a cell takes. What is measured is shown by `views`; nothing here prints."""
