//go:build !linux

package main

import (
	"fmt"
	"os"
	"syscall"
)

func attributes() *syscall.SysProcAttr {
	if *namespaces {
		fmt.Fprintln(os.Stderr, "tether: --namespaces needs Linux")
		os.Exit(2)
	}
	return &syscall.SysProcAttr{Setpgid: true}
}
