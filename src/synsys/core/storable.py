"""A tree as netCDF holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr


def storable(tree: xr.DataTree) -> xr.DataTree:
    """Copy with the dtypes that netCDF holds: object texts, single-precision spectra, Python attributes."""
    import xarray as xr

    groups = {
        path.lstrip("/"): _storable_group(data) for path, data in tree.to_dict().items() if path.strip("/")
    }
    root = xr.Dataset(attrs={name: _plain(value) for name, value in tree.attrs.items()})
    return xr.DataTree.from_dict({"/": root, **groups})


def _storable_group(data: xr.Dataset) -> xr.Dataset:
    texts = {}
    for name, variable in data.variables.items():
        if variable.dtype.kind in "OUT" or not isinstance(variable.dtype, np.dtype):
            cells = np.empty(variable.shape, dtype=object)
            cells.ravel()[:] = [_plain(cell) for cell in np.asarray(variable.values, dtype=object).flat]
            texts[name] = (variable.dims, cells)
        elif name == "power":
            texts[name] = (variable.dims, variable.values.astype(np.float32))
    return data.assign_coords({k: v for k, v in texts.items() if k in data.coords}).assign(
        {k: v for k, v in texts.items() if k not in data.coords}
    )


def _plain(value: Any) -> Any:
    """Python value; text without the characters (NUL, lone surrogates) that HDF5 cannot hold."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
    return value
