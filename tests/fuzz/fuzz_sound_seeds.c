// SPDX-License-Identifier: MIT
// Writes what two fuzz targets begin with: fuzz_sound_seeds SOUNDS PLAYLISTS, two folders.
#include <sndfile.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { FRAMES = 6000, FULL = 20000 };

static const struct {
    int format, rate_hz, channels;
    const char *name;
} sounds[] = {{SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44100, 2, "s16.wav"},
              {SF_FORMAT_WAVEX | SF_FORMAT_PCM_24, 48000, 6, "s24.wav"},
              {SF_FORMAT_WAV | SF_FORMAT_FLOAT, 8000, 1, "f32.wav"},
              {SF_FORMAT_RF64 | SF_FORMAT_PCM_16, 44100, 2, "s16.rf64"},
              {SF_FORMAT_W64 | SF_FORMAT_PCM_16, 44100, 2, "s16.w64"},
              {SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 44100, 2, "s16.aiff"},
              {SF_FORMAT_AU | SF_FORMAT_PCM_16, 44100, 2, "s16.au"},
              {SF_FORMAT_CAF | SF_FORMAT_PCM_16, 44100, 2, "s16.caf"},
              {SF_FORMAT_CAF | SF_FORMAT_ALAC_16, 44100, 2, "alac.caf"},
              {SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 44100, 2, "s16.flac"},
              {SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 96000, 1, "s24.flac"},
              {SF_FORMAT_OGG | SF_FORMAT_VORBIS, 44100, 2, "vorbis.ogg"},
              {SF_FORMAT_OGG | SF_FORMAT_VORBIS, 8000, 6, "six.ogg"},
              {SF_FORMAT_OGG | SF_FORMAT_OPUS, 48000, 2, "opus.ogg"},
              {SF_FORMAT_OGG | SF_FORMAT_OPUS, 16000, 3, "three.opus"},
              {SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 44100, 2, "a.mp3"},
              {SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 22050, 1, "b.mp3"}};

/// Ogg files one behind another.
static const char *const joins[][3] = {{"vorbis.ogg", "opus.ogg", "joined.ogg"},
                                       {"vorbis.ogg", "vorbis.ogg", "twice.ogg"},
                                       {"three.opus", "opus.ogg", "rates.ogg"},
                                       {"joined.ogg", "six.ogg", "third.ogg"}};

static const char *const playlists[] = {
    "0#EXTM3U\n#EXTINF:1,a - b\na.flac\r\n/abs/b%20c.mp3\nfile:///c%41.ogg\nhttp://h/x\n",
    "1[playlist]\nFile1=a.flac\nTitle1=t\nLength1=-1\nFile2=file:///b\nNumberOfEntries=2\nVersion=2\n",
    "0\xef\xbb\xbfone\n\ntwo\n"};

static int write_sound(const char *folder, size_t which)
{
    char path[512];
    SF_INFO info = {.format = sounds[which].format,
                    .samplerate = sounds[which].rate_hz,
                    .channels = sounds[which].channels};
    snprintf(path, sizeof path, "%s/%s", folder, sounds[which].name);
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    if (!file)
        return -1;
    sf_set_string(file, SF_STR_TITLE, "title");
    sf_set_string(file, SF_STR_ARTIST, "art\xc3\xaf\xc5\xa5");
    for (int i = 0; i < FRAMES; ++i) {
        short frame[8];
        for (int c = 0; c < info.channels; ++c)
            frame[c] = (short)(i * (c + 37) * 41 % FULL - FULL / 2);
        sf_writef_short(file, frame, 1);
    }
    return sf_close(file);
}

static int append(const char *folder, const char *name, FILE *to)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *from = fopen(path, "rb");
    if (!from)
        return -1;
    for (int c; (c = fgetc(from)) != EOF;)
        fputc(c, to);
    return fclose(from);
}

static int join(const char *folder, const char *const names[3])
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, names[2]);
    FILE *to = fopen(path, "wb");
    if (!to)
        return -1;
    const int error = append(folder, names[0], to) || append(folder, names[1], to);
    return fclose(to) || error ? -1 : 0;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: fuzz_sound_seeds SOUNDS PLAYLISTS\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof sounds / sizeof sounds[0]; ++i)
        if (write_sound(argv[1], i))
            return 1;
    for (size_t i = 0; i < sizeof joins / sizeof joins[0]; ++i)
        if (join(argv[1], joins[i]))
            return 1;
    for (size_t i = 0; i < sizeof playlists / sizeof playlists[0]; ++i) {
        char path[512];
        snprintf(path, sizeof path, "%s/%zu", argv[2], i);
        FILE *file = fopen(path, "w");
        if (!file || fputs(playlists[i], file) == EOF || fclose(file) == EOF)
            return 1;
    }
    return 0;
}
