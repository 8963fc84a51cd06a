package postgres

import "io/fs"

// MustHold makes a held directory below parent and gives its path and a function that removes it.
func MustHold(parent string) (path string, remove func() error, err error) {
	d, err := HoldDir(parent)
	if err != nil {
		return "", nil, err
	}
	return d.path, d.Remove, nil
}

// KillKeeper ends a server's keeper, as the system does where memory runs out.
func KillKeeper(s *Server) error { return s.keeper.Process.Kill() }

// MinMemory is minMemory.
const MinMemory = minMemory

// Choose is choose.
func Choose(want Storage, limit int64, root fs.FS, workers int) (memory bool, size int64) {
	p := choose(want, limit, root, workers)
	return p.memory, p.limit
}

// HoldIn makes and removes a held directory as a keeper would that was given parents.
func HoldIn(parents ...string) error {
	held, err := (&keeper{job: job{DiskParents: parents}}).holdOnDisk()
	if err != nil {
		return err
	}
	return held.Remove()
}
