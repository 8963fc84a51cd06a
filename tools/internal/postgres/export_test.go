package postgres

import "io/fs"

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
	dir, err := (&keeper{job: job{DiskParents: parents}}).holdOnDisk()
	if err != nil {
		return err
	}
	return dir.Remove()
}
