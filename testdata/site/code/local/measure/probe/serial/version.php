<?php
// Part of moodledb's sample site.

defined('MOODLE_INTERNAL') || die();

$plugin->component = 'measureprobe_serial';
$plugin->version   = 2026011200;
