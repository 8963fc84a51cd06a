package postgres

// MustHold makes a held directory below parent and gives its path and a function that removes it.
func MustHold(parent string) (path string, remove func() error, err error) {
	d, err := HoldDir(parent)
	if err != nil {
		return "", nil, err
	}
	return d.path, d.Remove, nil
}
