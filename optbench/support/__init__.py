"""What any floor may use: files, child processes, text, HTML, TOML."""
