package postgres

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// choosePlace decides where a private data directory goes.
func (k *keeper) choosePlace() error {
	// By the machine and the control group's quota: a GOMAXPROCS of the user's is for the tests.
	runtime.SetDefaultGOMAXPROCS()
	k.place = choose(k.job.Storage, k.job.StorageLimit, os.DirFS("/"), runtime.GOMAXPROCS(0))
	if k.job.Containment == Namespaces || k.job.DataDir != "" || !k.place.memory {
		return nil
	}
	// Without a tmpfs of its own, the server shares what is there; containers often have 64 MB.
	err := syscall.Access(memoryDir, 7)
	var free int64
	if err == nil {
		free, _, err = freeSpace(memoryDir)
	}
	if err == nil && !memoryBacked(memoryDir) {
		err = fmt.Errorf("%s is not in memory", memoryDir)
	}
	switch {
	case err != nil && k.job.Storage == Memory:
		return &ServerError{Op: "prepare", Object: fmt.Sprintf("server of PostgreSQL %v", k.job.Version),
			Reason: "keep its data in memory: " + err.Error(), Remedy: "set PGCELL_STORAGE=auto to let pgcell choose"}
	case err != nil, free < minMemory && k.job.Storage != Memory:
		k.place = place{}
	}
	return nil
}

// makeDataDir gives the server a directory: the caller's, or one in memory that vanishes with the mount namespace, or a
// held one.
func (k *keeper) makeDataDir() (err error) {
	switch {
	case k.job.DataDir != "":
		k.dataDir = k.job.DataDir
		return os.MkdirAll(k.dataDir, 0o700)
	case k.place.memory && k.memory != "":
		k.dataDir = filepath.Join(k.memory, dataName)
	case k.place.memory:
		if k.held, err = HoldDir(memoryDir); err != nil {
			return err
		}
		k.dataDir = filepath.Join(k.held.path, dataName)
	default:
		if k.held, err = k.holdOnDisk(); err != nil {
			return err
		}
		k.dataDir = filepath.Join(k.held.path, dataName)
	}
	if err := os.Mkdir(k.dataDir, 0o700); err != nil {
		return err
	}
	return os.Mkdir(filesDir(k.dataDir), 0o700)
}

// leaveMemory takes back what fillAndStart did, so that it can be done on disk.
func (k *keeper) leaveMemory() error {
	k.filled() // of interest is that it has ended
	k.abort()
	freeSharedMemory(k.dataDir)
	k.log.Close()
	k.place = place{}
	if k.held != nil {
		held := k.held
		k.held = nil
		return held.Remove()
	}
	if err := os.RemoveAll(filesDir(k.dataDir)); err != nil {
		return err
	}
	return os.RemoveAll(k.dataDir)
}

// storage describes the place to people.
func (k *keeper) storage() string {
	if k.dataDir == "" {
		return ""
	}
	if k.memory != "" && k.place.memory && k.job.DataDir == "" {
		return "memory, at most " + gigabytes(k.place.limit)
	}
	dir := k.dataDir
	if k.held != nil {
		dir = k.held.path
	}
	if memoryBacked(dir) {
		return "memory in " + dir
	}
	return "disk in " + dir
}
