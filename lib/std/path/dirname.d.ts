/** The folder of a path, by the rules of this system; `.` where the path names none. */
export declare function dirname(path: string): string;
