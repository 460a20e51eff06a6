// Reconnects is a client that notices a dead peer after 15 s (keepalive 5/5/2), and then
// connects again, each time after 5 s: "reconnects ADDRESS".
package main

import (
	"fmt"
	"net"
	"os"
	"time"
)

func main() {
	dialer := net.Dialer{Timeout: 5 * time.Second, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 5 * time.Second, Count: 2}}
	for ; ; time.Sleep(5 * time.Second) {
		c, err := dialer.Dial("tcp", os.Args[1])
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println("connected")
		_, err = c.Read(make([]byte, 1))
		fmt.Println(err)
		_ = c.Close()
	}
}
