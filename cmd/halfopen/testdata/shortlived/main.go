// Shortlived is a server that answers each message with "ok" and closes a connection that has
// been silent for a while: "shortlived PORT 5s". With a third argument, the text of an error, it
// answers a second message with that and closes at once, as protocols do whose first message may
// not be repeated.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"
)

func main() {
	patience, err := time.ParseDuration(os.Args[2])
	if err != nil {
		panic(err)
	}
	l, err := (&net.ListenConfig{KeepAlive: -1}).Listen(context.Background(), "tcp", ":"+os.Args[1])
	if err != nil {
		panic(err)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			panic(err)
		}
		go serve(c, patience)
	}
}

func serve(c net.Conn, patience time.Duration) {
	defer func() { _ = c.Close() }()
	message := make([]byte, 4096)
	for messages := 1; ; messages++ {
		_ = c.SetReadDeadline(time.Now().Add(patience))
		if _, err := c.Read(message); err != nil {
			return
		}
		if messages > 1 && len(os.Args) > 3 {
			fmt.Println("a client repeats itself")
			_, _ = c.Write([]byte(os.Args[3]))
			return
		}
		_, _ = c.Write([]byte("ok"))
	}
}
