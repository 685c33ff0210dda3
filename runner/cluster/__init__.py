"""What works on blocks and members: this process, or the workers of a Dask cluster."""
