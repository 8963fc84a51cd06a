package spawns

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The log is a sequence of messages of Bazel's src/main/protobuf/spawn.proto, SpawnExec, each behind its length. What is
// read here is the wire format of protocol buffers; the numbers of fields stand where they are read, in log.go.

// maxMessage is the largest message that is read, in bytes; an action of 100,000 inputs has 20 MB.
const maxMessage = 1 << 28

var errMalformed = errors.New("it is not a log of executions in Bazel's binary form")

// readMessages calls each with every message of a log. The bytes are valid until each returns.
func readMessages(in io.Reader, each func(message []byte) error) error {
	r := bufio.NewReaderSize(in, 1<<16)
	var message []byte
	for {
		size, err := binary.ReadUvarint(r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil || size > maxMessage {
			return errMalformed
		}
		if uint64(cap(message)) < size {
			message = make([]byte, size)
		}
		message = message[:size]
		if _, err := io.ReadFull(r, message); err != nil {
			return fmt.Errorf("it ends in the middle: %w", err)
		}
		if err := each(message); err != nil {
			return err
		}
	}
}

// fields calls each with every field of a message: bytes for a string or a message, else number for a varint.
func fields(message []byte, each func(field int, bytes []byte, number uint64) error) error {
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 {
			return errMalformed
		}
		message = message[n:]
		var bytes []byte
		var number uint64
		switch tag & 7 {
		case 0: // varint
			if number, n = binary.Uvarint(message); n <= 0 {
				return errMalformed
			}
		case 1: // 64 bits
			n = 8
		case 2: // length-delimited
			size, width := binary.Uvarint(message)
			if width <= 0 || size > uint64(len(message)-width) {
				return errMalformed
			}
			bytes, n = message[width:width+int(size)], width+int(size)
		case 5: // 32 bits
			n = 4
		default:
			return errMalformed
		}
		if n > len(message) {
			return errMalformed
		}
		message = message[n:]
		if err := each(int(tag>>3), bytes, number); err != nil {
			return err
		}
	}
	return nil
}
