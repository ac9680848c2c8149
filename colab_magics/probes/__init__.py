"""Look at the machine: each probe returns values of `colab_magics.model`; none prints, judges or advises.

Where files are read, `root` is the folder that stands for ``/``: tests hand in a folder of their own.
"""
