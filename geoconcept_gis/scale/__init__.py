"""Beyond one process: dask frames and maps, partitioned files, and a plain function for other engines."""
