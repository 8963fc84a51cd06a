package peer

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/netip"
	"os"
	"strconv"
)

// lookUp reads a network namespace's tables of TCP connections for both ends of one. known says that this process's end
// is there; inode is that of the other end, 0 if nobody holds it.
func lookUp(proc string, own uint64, local, remote netip.AddrPort) (inode uint64, known bool, err error) {
	tables := []string{"/net/tcp", "/net/tcp6"} // a socket for IPv6 may speak IPv4, at either end
	if !local.Addr().Is4() {
		tables = tables[1:]
	}
	for _, table := range tables {
		err := eachSocket(proc+table, func(s socket) {
			switch {
			case s.inode == own:
				known = true
			case s.local == remote && s.remote == local && s.inode != 0:
				inode = s.inode
			}
		})
		if errors.Is(err, os.ErrNotExist) && table == "/net/tcp6" { // a kernel without IPv6
			err = nil
		}
		if err != nil {
			return 0, false, err
		}
		if known && inode != 0 {
			break
		}
	}
	return inode, known, nil
}

// listenState is TCP_LISTEN of the kernel's include/net/tcp_states.h, as /proc has it.
const listenState = "0A"

// socket is a line of /proc/net/tcp.
type socket struct {
	local, remote netip.AddrPort // IPv4 as such also where it is mapped into IPv6
	inode         uint64         // 0 where no file holds the socket
	listening     bool
}

// eachSocket reads /proc/net/tcp or tcp6 (proc_pid_net(5)); it passes over lines that it cannot read.
func eachSocket(table string, do func(socket)) error {
	f, err := os.Open(table)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := bytes.Fields(lines.Bytes())
		if len(fields) < 10 {
			continue
		}
		local, ok := address(fields[1])
		remote, also := address(fields[2])
		inode, err := strconv.ParseUint(string(fields[9]), 10, 64)
		if ok && also && err == nil {
			do(socket{local, remote, inode, string(fields[3]) == listenState})
		}
	}
	return lines.Err()
}

// address reads such as 0100007F:1538, which is 127.0.0.1:5432: the address in words of 32 bits in this machine's order,
// the port as a number.
func address(text []byte) (a netip.AddrPort, ok bool) {
	host, port, ok := bytes.Cut(text, []byte(":"))
	if !ok {
		return a, false
	}
	raw := make([]byte, hex.DecodedLen(len(host)))
	if _, err := hex.Decode(raw, host); err != nil || len(raw)%4 != 0 {
		return a, false
	}
	for i := 0; i < len(raw); i += 4 {
		binary.BigEndian.PutUint32(raw[i:], binary.NativeEndian.Uint32(raw[i:]))
	}
	ip, ok := netip.AddrFromSlice(raw)
	if !ok {
		return a, false
	}
	number, err := strconv.ParseUint(string(port), 16, 16)
	if err != nil {
		return a, false
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(number)), true
}
