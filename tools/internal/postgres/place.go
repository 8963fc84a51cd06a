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
	free, err := sharedRoom()
	switch {
	case err != nil && k.job.Storage == Memory:
		return &ServerError{Op: "prepare", Object: fmt.Sprintf("server of PostgreSQL %v", k.job.Version),
			Reason: "keep its data in memory: " + err.Error(), Remedy: "set PGCELL_STORAGE=auto to let pgcell choose"}
	case err != nil, free < minMemory && k.job.Storage != Memory:
		k.place = place{}
	}
	return nil
}

// sharedRoom gives how many bytes are free where a server without a tmpfs of its own keeps data in memory; containers
// often have 64 MB.
func sharedRoom() (int64, error) {
	if err := syscall.Access(memoryDir, 7); err != nil {
		return 0, fmt.Errorf("write to %s: %w", memoryDir, err)
	}
	free, _, err := freeSpace(memoryDir)
	if err == nil && !memoryBacked(memoryDir) {
		err = fmt.Errorf("%s is not in memory", memoryDir)
	}
	return free, err
}

// DiskReason says why a server that started now under [Auto] would keep its data on disk, to people; "" if it would keep
// it in memory. Then share is the most that it may take there, in bytes.
func DiskReason(how Containment) (share int64, reason string) {
	runtime.SetDefaultGOMAXPROCS()
	p := choose(Auto, 0, os.DirFS("/"), runtime.GOMAXPROCS(0))
	const wanted = minMemory >> 20
	if !p.memory {
		return 0, fmt.Sprintf("a server's share of the memory that is free is %d MB, %d MB are wanted", p.limit>>20, wanted)
	}
	if how == Namespaces {
		return p.limit, ""
	}
	free, err := sharedRoom()
	if err != nil {
		return 0, err.Error()
	}
	if free < minMemory {
		return 0, fmt.Sprintf("%s has %d MB free, %d MB are wanted", memoryDir, free>>20, wanted)
	}
	return min(p.limit, free), ""
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
