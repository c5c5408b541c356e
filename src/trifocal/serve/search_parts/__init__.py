"""What search looks at: the words of an item, its colours, its picture. `serve.search` adds them up."""
