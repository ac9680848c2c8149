"""The cells of Colab's own "Making the most of your Colab subscription" notebook: the least that people would write."""

from __future__ import annotations

import importlib.metadata
import sys

RAM_CELL = r"""
from psutil import virtual_memory
ram_gb = virtual_memory().total / 1e9
print('Your runtime has {:.1f} gigabytes of available RAM\n'.format(ram_gb))

if ram_gb < 20:
  print('Not using a high-RAM runtime')
else:
  print('You are using a high-RAM runtime!')
"""
_GPU_CELL = r"""
gpu_info = !nvidia-smi
gpu_info = '\n'.join(gpu_info)
if gpu_info.find('failed') >= 0:
  print('Not connected to a GPU')
else:
  print(gpu_info)
"""


def gpu_cell() -> str:
    """Return the GPU cell; where IPython cannot read `name = !command`, what it would have made of it."""
    if sys.version_info >= (3, 12) and importlib.metadata.version("ipython").startswith("7."):
        return _GPU_CELL.replace("= !nvidia-smi", "= get_ipython().getoutput('nvidia-smi')")
    return _GPU_CELL
