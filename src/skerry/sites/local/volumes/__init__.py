"""Volumes of this machine: images of file systems, or plain directories.

**Images.** Where the agent is root, a volume is a file with an ext4 file system in it (``image``),
so that the kernel itself keeps its size: who writes more gets ENOSPC, and nothing else on the
host notices. Its blocks are allocated when it is made, so no two volumes are ever promised the
same space. It is attached to a loop device that clears itself with the last unmount, and mounted
only while a workload uses it; before each mount it is checked. So what a killed agent leaves are
mounts, which the next one finds in the kernel's own list, and after a power cut there is nothing
to clean up but the file system, which its journal and ``e2fsck`` see to.

**Owners.** Tasks run under numbers that differ each time. On the volume all files belong to user
1000; each task is given an *idmapped* mount of its own, in which 1000 is the task's number. So one
task's number is worth nothing in another's mount, nobody has to change the owners of a million
files, and a volume could be carried to another host as it is. Linux 5.12 or newer does it.

**Snapshots** are copies of the image. On XFS and btrfs they share its blocks (FICLONE) and are
taken while its file system is frozen for an instant; what they may come to take is kept free. On
others they are whole copies, made while nobody writes to the volume.

**Directories** are for agents without root's rights, and only if the operator says so: their size
is looked at once a second, so a writer can pass it for a moment before it is ended.

``keeper`` has the verbs; ``calls`` the system calls.
"""
