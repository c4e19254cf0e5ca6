/** The folder of a path, by the rules of POSIX or of Windows; `.` where the path names none. */
export declare function dirname(path: string): string;
