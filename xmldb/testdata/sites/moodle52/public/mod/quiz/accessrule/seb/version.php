<?php
$plugin->version = 2025100600;
