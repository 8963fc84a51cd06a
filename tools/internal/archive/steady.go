package archive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
)

// Two builds of one recipe must have equal bytes: else a golden cluster that is built again makes all its tests run
// again. What differs is fixed here, in two files: the control file and the write-ahead log, each of which names the
// cluster by an identifier that initdb made of the time, and says when the server stopped.
//
// Source of the formats: src/include/catalog/pg_control.h, src/include/access/xlog_internal.h and xlogrecord.h of
// PostgreSQL 14 to 18.

// controlFile is the control file's name below the data directory.
const controlFile = "global/pg_control"

// Offsets in the control file (struct ControlFileData), and in the CheckPoint that it and the log's last record hold.
const (
	controlIdentifier = 0  // 8 bytes
	controlTime       = 24 // 8 bytes, when the file was written
	controlRecord     = 32 // 8 bytes, the position of the last checkpoint's record
	controlCheckPoint = 40
	checkPointLine    = 8  // 4 bytes, the timeline
	checkPointTime    = 64 // 8 bytes
	checkPointSize    = 88
)

// nonceSize is the size of what the control file ends with, but for its checksum and up to 3 bytes of padding: random
// bytes, which answer those who try to log in as somebody whom there is not.
const nonceSize = 32

// Sizes in the log, in bytes. segmentSize is that of a file, as initdb was told.
const (
	segmentSize     = 1 << 20
	logPage         = 8 << 10
	pageHeader      = 24
	firstPageHeader = 40 // of a file
	recordHeader    = 24
	recordChecksum  = 20 // where it is in the header, 4 bytes
	pageIdentifier  = 24 // where the cluster's identifier is in the header of a file's first page, 8 bytes
)

// identifier is that of each golden cluster. Nobody compares it but physical replication, which wants it to be equal.
const identifier = 0x70_67_63_65_6c_6c

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// control is the control file of a data directory.
type control []byte

func readControl(dataDir string) (control, error) {
	c, err := os.ReadFile(filepath.Join(dataDir, controlFile))
	if err == nil && len(c) < controlCheckPoint+checkPointSize {
		err = fmt.Errorf("%s has only %d bytes", controlFile, len(c))
	}
	return c, err
}

func (c control) record() uint64 { return binary.NativeEndian.Uint64(c[controlRecord:]) }

// segment names the file of the log that holds a position.
func (c control) segment(position uint64) string {
	n := position / segmentSize
	line := binary.NativeEndian.Uint32(c[controlCheckPoint+checkPointLine:])
	return fmt.Sprintf("%08X%08X%08X", line, n/(1<<32/segmentSize), n%(1<<32/segmentSize))
}

// fix sets the identifier and the times.
//
// Errors: the file has no checksum where one must be.
func (c control) fix() error {
	for end := controlCheckPoint + checkPointSize; end+4 <= len(c); end += 4 {
		if binary.NativeEndian.Uint32(c[end:]) != crc32.Checksum(c[:end], castagnoli) {
			continue
		}
		binary.NativeEndian.PutUint64(c[controlIdentifier:], identifier)
		clear(c[controlTime : controlTime+8])
		clear(c[controlCheckPoint+checkPointTime : controlCheckPoint+checkPointTime+8])
		c.clearNonce(end)
		binary.NativeEndian.PutUint32(c[end:], crc32.Checksum(c[:end], castagnoli))
		return nil
	}
	return errors.New(controlFile + " has a form that pgcell does not know: its checksum is not found")
}

// clearNonce takes out what is random before the checksum. From PostgreSQL 18 on, a byte stands before the nonce, and so 3
// bytes of padding behind it.
func (c control) clearNonce(checksum int) {
	const version18 = 1800
	from := checksum - nonceSize
	if binary.NativeEndian.Uint32(c[8:]) >= version18 {
		from -= 3
	}
	clear(c[from:checksum])
}

// logNeeded tells which files of pg_wal a start after a clean stop reads: that of the last checkpoint's record, and the
// next where it may reach into that. Others are old, or were made for later. Where the file of the record is not as expected,
// all are needed.
func (c control) logNeeded(dataDir string) func(name string) bool {
	first, last := c.segment(c.record()), c.segment(c.record()+logPage)
	info, err := os.Stat(filepath.Join(dataDir, "pg_wal", first))
	if err != nil || info.Size() != segmentSize {
		return func(string) bool { return true }
	}
	return func(name string) bool { return name >= first && name <= last }
}

// steadyFiles gives the content of the files that would differ in another build, by name.
//
// Errors: a file is not as PostgreSQL 14 to 18 write it.
func (c control) steadyFiles(dataDir string) (map[string][]byte, error) {
	c = slices.Clone(c)
	files := map[string][]byte{controlFile: c}
	l := lastRecord{start: c.record()}
	for _, name := range slices.Compact([]string{c.segment(l.start), c.segment(l.start + logPage)}) {
		text, err := os.ReadFile(filepath.Join(dataDir, "pg_wal", name))
		if errors.Is(err, os.ErrNotExist) && len(l.segments) > 0 {
			continue // the record ends before it
		}
		if err == nil && len(text) != segmentSize {
			err = fmt.Errorf("pg_wal/%s has %d bytes, not %d", name, len(text), segmentSize)
		}
		if err != nil {
			return nil, err
		}
		l.segments = append(l.segments, text)
		files["pg_wal/"+name] = text
	}
	if err := l.fix(); err != nil {
		return nil, err
	}
	return files, c.fix()
}

// lastRecord is the log's last record, which says that the server has stopped.
type lastRecord struct {
	start    uint64   // its position
	segments [][]byte // the file that it starts in, and perhaps the next
}

// fix sets the identifier and the time, and clears all else that no start reads.
//
// Errors: the record is not a checkpoint's.
func (l lastRecord) fix() error {
	log := slices.Concat(l.segments...)
	offsets, err := l.offsets(log)
	if err != nil {
		return err
	}
	record := make([]byte, len(offsets))
	for i, at := range offsets {
		record[i] = log[at]
	}
	if binary.NativeEndian.Uint32(record[recordChecksum:]) != recordSum(record) {
		return errors.New("the last record of pg_wal has a wrong checksum")
	}
	clear(record[len(record)-checkPointSize+checkPointTime:][:8])
	binary.NativeEndian.PutUint32(record[recordChecksum:], recordSum(record))

	fixed := make([]byte, len(log))
	for i, at := range offsets {
		page := at / logPage * logPage
		copy(fixed[page:], log[page:page+headerSize(page)])
		fixed[at] = record[i]
	}
	for i, segment := range l.segments {
		first := fixed[i*segmentSize:][:segmentSize]
		copy(first, segment[:firstPageHeader])
		binary.NativeEndian.PutUint64(first[pageIdentifier:], identifier)
		copy(segment, first)
	}
	return nil
}

// recordSum is the checksum of a record: over its data, then over its header up to the checksum.
func recordSum(record []byte) uint32 {
	return crc32.Update(crc32.Checksum(record[recordHeader:], castagnoli), castagnoli, record[:recordChecksum])
}

// offsets gives where each byte of the record is in log, which is all segments: page headers may stand in between.
func (l lastRecord) offsets(log []byte) (all []int, err error) {
	const size = recordHeader + 2 + checkPointSize
	for at := int(l.start % segmentSize); len(all) < size; at++ {
		if at%logPage == 0 {
			at += headerSize(at)
		}
		if at >= len(log) {
			return nil, errors.New("the last record of pg_wal is not whole")
		}
		all = append(all, at)
	}
	var length [4]byte
	for i := range length {
		length[i] = log[all[i]]
	}
	if got := binary.NativeEndian.Uint32(length[:]); got != size {
		return nil, fmt.Errorf("the last record of pg_wal has %d bytes, where a checkpoint's has %d", got, size)
	}
	return all, nil
}

// headerSize is that of the page at an offset from the start of a file.
func headerSize(at int) int {
	if at%segmentSize == 0 {
		return firstPageHeader
	}
	return pageHeader
}
