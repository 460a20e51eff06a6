// Command visitor is a client that runs where its own image is the root, and nowhere else.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
)

func main() {
	if err := visit(os.Args[1]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func visit(address string) error {
	content, err := os.ReadFile("/etc/visitor")
	if err != nil {
		return err
	}
	c, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	if _, err := c.Write(content); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, c)
	return err
}
