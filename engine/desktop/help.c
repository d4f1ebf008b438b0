// SPDX-License-Identifier: MIT
#include "engine/desktop/help.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

#ifndef SEGUE_VERSION
#    error "the build names the version"
#endif

struct page {
    const char *usage;
    const char *description;
    const char *examples;
};

static const struct page pages[COMMAND_COUNT] = {
    [COMMAND_NONE] =
        {
            .usage = "  segue COMMAND [OPTIONS] ARGS...\n",
            .description =
                "Segue plays a queue of audio files without gaps and masters every track as it\n"
                "plays. A track is analysed once (loudness, tempo, key, genre and a fingerprint of\n"
                "25 dimensions); the analysis gives one fixed set of mastering targets for the\n"
                "whole track. The next track's analysis is ready before it is needed.\n"
                "\n"
                "COMMANDS\n"
                "  play      play files, folders and playlists\n"
                "  analyze   print what is known of files, as JSON or as a table\n"
                "  render    master one file into another, faster than real time\n"
                "  report    make a page to look at: before and after, figures and pictures\n"
                "  cache     look after the analyses kept on disk\n"
                "  devices   list output devices\n"
                "\n"
                "  `segue COMMAND --help` says more about each. Options stand before or after the\n"
                "  arguments, as --option VALUE or --option=VALUE; -- ends them.\n",
            .examples = "  segue play ~/Music/album\n"
                        "  segue analyze --table ~/Music\n"
                        "  segue render song.flac mastered.flac\n",
        },
    [COMMAND_PLAY] =
        {
            .usage = "  segue play [OPTIONS] PATH|PLAYLIST...\n"
                     "  segue play --demo [OPTIONS]\n",
            .description =
                "Play a queue: files, folders (walked in name order) and playlists (.m3u, .m3u8,\n"
                ".pls). On a terminal one line shows the track, the position and how far the next\n"
                "track is prepared; otherwise log lines do. A file that cannot be played is named\n"
                "and skipped. At the end one line on standard error counts tracks and gaps.\n"
                "\n"
                "The device runs at the first track's rate; tracks of another rate are resampled.\n"
                "--device wav:FILE writes what the device would get as 32-bit float stereo.\n"
                "\n"
                "Tracks of one album (by their tags) that run on into each other without silence\n"
                "are mastered as one; all others alone.\n"
                "\n"
                "KEYS\n"
                "  space  pause            n, b  next, previous     left, right  seek 10 s\n"
                "  q      quit             m     mastered or as it is   up, down  volume\n"
                "\n"
                "m is heard at once, and both are equally loud: the line shows by how much what is\n"
                "heard is lowered for that, or plain sound raised where its peaks allow it. Mastered\n"
                "sound comes back to its level after 20 s, or with the next track.\n",
            .examples = "  segue play --preset warm ~/Music/album/*.flac\n"
                        "  segue play --device null --speed max list.m3u8\n"
                        "  segue play --no-mastering --device wav:out.wav a.flac b.mp3\n",
        },
    [COMMAND_ANALYZE] =
        {
            .usage = "  segue analyze [--json|--table] [OPTIONS] PATH...\n"
                     "  segue analyze [OPTIONS] -\n",
            .description =
                "Print one JSON object a line for each file: fingerprint, loudness, tempo, key,\n"
                "genre, profile, mastering targets and timing. Folders are walked in name order;\n"
                "hidden files and folders are skipped. With - paths come from standard input. Lines\n"
                "come in the order of the paths. A file that cannot be analysed gives an object\n"
                "with path and error, and the run goes on.\n"
                "\n"
                "Folders are analysed at idle priority: only while nothing else wants the processor\n"
                "or the disk. On a terminal, standard error shows how far the run is; a run that was\n"
                "broken off goes on where it was, as what is done is kept.\n"
                "\n"
                "In paths, control characters and bytes that are not UTF-8 are written as \\n, \\t\n"
                "and \\xHH; a backslash that could be taken for such an escape is doubled.\n",
            .examples = "  segue analyze ~/Music > music.jsonl\n"
                        "  segue analyze song.flac | jq .loudness.integrated_lufs\n"
                        "  find . -name '*.opus' -print0 | segue analyze --null -\n",
        },
    [COMMAND_RENDER] =
        {
            .usage = "  segue render [OPTIONS] IN OUT.wav|OUT.flac\n"
                     "  segue render [OPTIONS] IN|FOLDER... OUTFOLDER/\n"
                     "  segue render --measure [OPTIONS] PATH...\n",
            .description =
                "Master files into others with the chain that play uses. Rate and channels (up to\n"
                "stereo) stay those of IN, tags and pictures are carried over. 16-bit output is\n"
                "dithered where a sample is off the 16-bit grid; a WAV file over 4 GiB is an RF64\n"
                "one. One line on standard output tells each file's loudness before and after, mono\n"
                "as it is heard on both sides; with --measure nothing else is done.\n"
                "\n"
                "The files of one FOLDER keep their places below OUTFOLDER; of several, each goes\n"
                "below its folder's own name. What fails is named and the rest is done. No input is\n"
                "ever overwritten, and a file appears when it is whole.\n"
                "\n"
                "What was rendered is tagged SEGUE_MASTERED: mastered again it keeps its tone and\n"
                "gets only the loudness that its target still needs.\n",
            .examples = "  segue render --preset punchy song.flac out.wav\n"
                        "  segue render --target-lufs -16 --format s24 song.mp3 out.flac\n"
                        "  segue render --album ~/Music/album mastered/\n"
                        "  segue render --measure --json ~/Music | jq .makeup_db\n",
        },
    [COMMAND_REPORT] =
        {
            .usage = "  segue report [OPTIONS] -o OUT.html PATH...\n",
            .description =
                "Write one HTML page that needs nothing else and shows each track before and after\n"
                "mastering: waveform, loudness over time, gain reduction, spectrogram and mean\n"
                "spectrum, mastering targets, fingerprint, tempo, key and profile. Folders are\n"
                "walked in name order. What cannot be shown is named on the page as well.\n",
            .examples = "  segue report -o song.html song.flac\n"
                        "  segue report --preset warm -o album.html ~/Music/album\n",
        },
    [COMMAND_CACHE] =
        {
            .usage = "  segue cache stats [--json]\n"
                     "  segue cache clear [PATH...]\n"
                     "  segue cache verify [--files]\n"
                     "  segue cache vacuum\n"
                     "  segue cache export FILE\n"
                     "  segue cache import FILE\n",
            .description =
                "Look after the analyses kept on disk. stats counts entries, hits and the time they\n"
                "saved, over all runs since the last clear. clear forgets all, or those of a track\n"
                "or a folder, gone or not; sidecars stay. verify checks every record and changes\n"
                "nothing. vacuum gives free space back, and makes a new database of what still\n"
                "reads in a damaged one. export writes JSON lines, import takes them (-: standard\n"
                "output, input): each checks itself, and bad ones are named.\n",
            .examples = "  segue cache stats\n"
                        "  segue cache clear ~/Music/album\n"
                        "  segue cache export analyses.jsonl\n",
        },
    [COMMAND_DEVICES] =
        {
            .usage = "  segue devices [OPTIONS]\n",
            .description =
                "List output devices, one a line, tab-separated: HOSTAPI:NAME, supported rates in\n"
                "Hz, low and high latency. play --device takes NAME, or HOSTAPI:NAME where NAME is\n"
                "not unique.\n",
            .examples = "  segue devices\n"
                        "  segue play --device jack:system song.flac\n",
        },
};

static const char exit_status[] =
    "  0  done\n"
    "  1  something failed: it is named on standard error, the rest is done\n"
    "  2  bad usage\n";

static const char files[] =
    "  $XDG_DATA_HOME/segue/library.db   analyses (default ~/.local/share/segue/library.db);\n"
    "                                    a corrupt one is kept as library.db.corrupt-TIME\n"
    "  $XDG_CACHE_HOME/segue/demo-1/     the demo's pieces (default ~/.cache/segue/demo-1/)\n"
    "  NAME.25d                          an analysis beside its file (analyze --sidecar)\n";

static const char environment[] =
    "  XDG_DATA_HOME, XDG_CACHE_HOME, HOME   where the files above are\n"
    "  JACK_DEFAULT_SERVER                   the JACK server that jack: devices belong to\n";

// "  --name VALUE" padded to a column, then the help, its further lines indented likewise.
static void write_option(FILE *out, enum option option)
{
    enum { HELP_COLUMN = 25 };
    const struct option_info *info = option_info(option);
    const char *brief = option_brief(option);
    char left[64];
    (void)snprintf(left, sizeof left, "%s%s%s%s%s", brief ? brief : "", brief ? ", " : "",
                   info->name, info->value ? " " : "",
                   info->value ? info->value : ""); // names and values are short
    fprintf(out, "  %-*s", HELP_COLUMN - 2, left);
    for (const char *line = info->help; line;) {
        const size_t bytes = strcspn(line, "\n");
        fprintf(out, "%.*s\n", (int)bytes, line);
        line = line[bytes] ? line + bytes + 1 : NULL;
        if (line)
            fprintf(out, "%*s", HELP_COLUMN, "");
    }
}

static void write_options(FILE *out, enum command command)
{
    for (unsigned i = 0; i < OPTION_COUNT; ++i) {
        if (option_info((enum option)i)->commands & (1U << command))
            write_option(out, (enum option)i);
    }
}

// Errors of the calls before stay with the stream until here.
static int finish(FILE *out)
{
    return fflush(out) != 0 || ferror(out) ? -EIO : 0;
}

int help_write(FILE *out, enum command command)
{
    assert(out && command < COMMAND_COUNT);
    const struct page *page = &pages[command];
    fprintf(out, "USAGE\n%s\n%s\nOPTIONS\n", page->usage, page->description);
    write_options(out, command);
    fprintf(out, "\nEXAMPLES\n%s\nEXIT STATUS\n%s\nFILES\n%s\nENVIRONMENT\n%s", page->examples,
            exit_status, files, environment);
    return finish(out);
}

int help_write_version(FILE *out)
{
    assert(out);
    fprintf(out, "segue " SEGUE_VERSION "\nSource under the MIT licence; linked with FFTW3, the "
                 "program as a whole is under the GPL.\n");
    return finish(out);
}

void help_write_usage(FILE *out)
{
    assert(out);
    fprintf(out, "usage: segue play|analyze|render|report|cache|devices [OPTIONS] ARGS...\n"
                 "       segue --help, segue COMMAND --help\n");
}
