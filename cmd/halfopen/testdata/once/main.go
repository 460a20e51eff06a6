// Command once is a client that ends in the very instant in which its connection does.
package main

import (
	"net"
	"os"
)

func main() {
	conn, err := net.Dial("tcp", os.Args[1])
	if err != nil {
		os.Exit(1)
	}
	_, _ = conn.Read(make([]byte, 1))
	os.Exit(7)
}
