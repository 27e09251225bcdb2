<?php
$plugin->version = 2020100100;
