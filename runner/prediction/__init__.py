"""What a recorded model says of rows, block by block, in Parquet files."""
