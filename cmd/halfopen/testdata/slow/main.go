// Slow is a server that thinks for a while before it answers a request, in two writes, and keeps
// connections, without keepalive: "slow PORT 10m".
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"
)

func main() {
	thinks, err := time.ParseDuration(os.Args[2])
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
		go func() {
			defer func() { _ = c.Close() }()
			for {
				if _, err := c.Read(make([]byte, 4096)); err != nil {
					fmt.Println(err)
					return
				}
				time.Sleep(thinks)
				for _, part := range []string{"an ", "answer"} {
					if _, err := c.Write([]byte(part)); err != nil {
						fmt.Println(err)
						return
					}
					time.Sleep(time.Millisecond)
				}
			}
		}()
	}
}
