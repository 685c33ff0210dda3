"""From lazy Dask arrays to blocks in memory, in order and a few ahead."""
