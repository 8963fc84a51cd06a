module example.com/command

go 1.25.0
