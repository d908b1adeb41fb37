"""Label and prediction tables: DuckDB over Parquet, or BigQuery."""
