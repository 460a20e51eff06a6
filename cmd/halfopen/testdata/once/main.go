// Command once is a client that ends in the very instant in which its connection does, and
// never sends.
package main

import (
	"net"
	"os"
)

func main() {
	conn, err := (&net.Dialer{KeepAlive: -1}).Dial("tcp", os.Args[1])
	if err != nil {
		os.Exit(1)
	}
	_, _ = conn.Read(make([]byte, 1))
	os.Exit(7)
}
