/* Preloaded: while the file named by REFUSED_SYNC exists, no database reaches the disk; fsync and fdatasync say EIO. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int refused(int fd)
{
    const char *flag = getenv("REFUSED_SYNC");
    char link[64], path[4096];
    ssize_t length;

    if (flag == NULL || access(flag, F_OK) != 0)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = '\0';
    return strstr(path, "/legation.db") != NULL;
}

int fsync(int fd)
{
    if (refused(fd)) {
        errno = EIO;
        return -1;
    }
    return (int) syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    if (refused(fd)) {
        errno = EIO;
        return -1;
    }
    return (int) syscall(SYS_fdatasync, fd);
}
