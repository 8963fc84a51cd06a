package bare

// Never is covered by nothing.
func Never() int { return 1 }
