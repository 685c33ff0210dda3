"""Where X and y come from: lazy Dask arrays in exact chunks, and their split."""
