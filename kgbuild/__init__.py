"""kgbuild: typed knowledge graphs from research abstracts."""
