"""Cutting a Markdown text into chunks: blocks, prose, packing, counting."""
