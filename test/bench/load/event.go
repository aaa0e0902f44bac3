package main

import (
	"encoding/binary"
	"encoding/hex"
)

// event is one encoded message whose field at `at` is 64 hexadecimal digits, a container id as every relay forwards it:
// 4 digits agent, 8 digits number, 16 digits creation time in ns, zeros.
type event struct {
	frame []byte // HTTP/2 frame head, gRPC prefix, message
	at    int    // of the digits in the message
}

const (
	prefixLen = 9 + 5
	idDigits  = 64
)

func newEvent(message []byte, at int) *event {
	frame := appendHead(nil, 5+len(message), frameData, 0, 0)
	frame = append(frame, 0)
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(message)))
	return &event{frame: append(frame, message...), at: at}
}

// appendTo writes the event as a frame of its own, as grpc-go does.
func (e *event) appendTo(out []byte, stream, agent, number uint32, createdNs int64) []byte {
	start := len(out)
	out = append(out, e.frame...)
	binary.BigEndian.PutUint32(out[start+5:], stream)
	var raw [14]byte
	binary.BigEndian.PutUint16(raw[0:], uint16(agent))
	binary.BigEndian.PutUint32(raw[2:], number)
	binary.BigEndian.PutUint64(raw[6:], uint64(createdNs))
	hex.Encode(out[start+prefixLen+e.at:], raw[:])
	return out
}

var nibbles = func() (table [256]byte) {
	for i := range table {
		table[i] = 0xff
	}
	for i, digit := range []byte("0123456789abcdef") {
		table[digit] = byte(i)
	}
	return table
}()

// digits reads hexadecimal digits; ok is false when one of them is none.
func digits(text []byte) (value uint64, ok bool) {
	var seen byte
	for _, c := range text {
		n := nibbles[c]
		seen |= n
		value = value<<4 | uint64(n&15)
	}
	return value, seen < 16
}
