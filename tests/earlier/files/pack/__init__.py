"""Templates and defaults of all pipelines at Acme; wurzel finds this folder by its entry point."""
